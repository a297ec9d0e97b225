// Keeps the end of a conversation in view while an answer grows, unless the reader has scrolled up.
const tolerance = 60;

export class Scroll {
  constructor(area, content, jump) {
    this.area = area;
    this.jump = jump;
    this.isAtEnd = true;
    area.addEventListener('scroll', () => {
      this.isAtEnd = area.scrollHeight - area.scrollTop - area.clientHeight < tolerance;
      jump.hidden = this.isAtEnd;
    }, { passive: true });
    jump.addEventListener('click', () => this.toEnd());
    // The question's box grows into the area; pictures of messages load late.
    const observer = new ResizeObserver(() => this.follow());
    observer.observe(area);
    observer.observe(content);
  }

  follow() {
    if (this.isAtEnd) this.toEnd();
  }

  toEnd() {
    this.isAtEnd = true;
    this.jump.hidden = true;
    this.area.scrollTop = this.area.scrollHeight;
  }
}
