using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Composition.Output;

/// <summary>Style of the page: a column of about 65 characters, light or dark by the reader's preference, plain in print.</summary>
internal static class PageStyle
{
    /// <summary>The style sheet. It loads no files, fonts or scripts, so that a saved page does not depend on servers. Chinese pages prefer Chinese fonts,
    /// because other fonts have half-width quotation marks and dashes; their headings break at punctuation.</summary>
    public const string Css = """

        :root {
          color-scheme: light dark;
          --paper: #fcfbf8; --ink: #24211c; --soft: #6f685d; --line: #e3ddd1; --plate: #f3efe7; --accent: #a8452c;
          --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", "Palatino Linotype", Palatino, Georgia, "Noto Serif", serif;
          --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
        }
        :root:lang(zh) {
          --serif: "Source Han Serif SC", "Noto Serif CJK SC", "Noto Serif SC", "Songti SC", STSong, "Microsoft YaHei", serif;
          --sans: "PingFang SC", "Source Han Sans SC", "Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", sans-serif;
        }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #17171a; --ink: #d9d5cc; --soft: #98928a; --line: #303036; --plate: #212126; --accent: #e59a7f; }
        }
        *, ::before, ::after { box-sizing: border-box; }
        html { font-size: clamp(1.0625rem, 0.95rem + 0.5vw, 1.25rem); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body {
          margin: 0; background: var(--paper); color: var(--ink); font-family: var(--serif); line-height: 1.62;
          font-kerning: normal; text-rendering: optimizeLegibility; overflow-wrap: break-word; hanging-punctuation: first allow-end;
        }
        ::selection { background: var(--accent); color: var(--paper); }
        main { max-width: 37rem; margin: 0 auto; padding: clamp(2.5rem, 9vw, 6rem) 1.35rem 5rem; }
        header { margin-bottom: 2.6rem; }
        header::after { content: ""; display: block; width: 3.5rem; height: 3px; margin-top: 1.7rem; background: var(--accent); }
        h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; font-weight: 700; }
        h1 { margin: 0; font-size: clamp(2rem, 1.45rem + 2.4vw, 2.9rem); line-height: 1.12; letter-spacing: -0.018em; }
        h2 { margin: 2.5em 0 0.7em; font-size: 1.42rem; letter-spacing: -0.008em; }
        h3 { margin: 2.1em 0 0.6em; font-size: 1.14rem; }
        h4 { margin: 1.9em 0 0.5em; font-size: 1rem; color: var(--soft); }
        article > :first-child { margin-top: 0; }
        h2 + h3, h3 + h4 { margin-top: 1em; }
        p { margin: 0 0 1.15em; text-wrap: pretty; }
        p:lang(en) { hyphens: auto; hyphenate-limit-chars: 7 3 3; }
        .lead { font-size: 1.17rem; line-height: 1.54; }
        ul, ol { margin: 0 0 1.15em; padding-left: 1.5em; }
        li { margin: 0.4em 0; padding-left: 0.2em; }
        li::marker { color: var(--accent); font-feature-settings: "tnum"; }
        figure { margin: 2.5em 0 2.7em; }
        img { display: block; width: auto; height: auto; max-width: 100%; max-height: 85vh; margin: 0 auto; border-radius: 5px; }
        .plate { padding: clamp(1.2rem, 5vw, 2.4rem); background: var(--plate); border-radius: 8px; }
        figcaption { max-width: 30rem; margin: 0.95em auto 0; font-family: var(--sans); font-size: 0.78rem; line-height: 1.5; color: var(--soft); text-align: center; text-wrap: balance; }
        footer { margin-top: 4.2rem; padding-top: 1.1rem; border-top: 1px solid var(--line); font-family: var(--sans); font-size: 0.74rem; line-height: 1.6; color: var(--soft); }
        footer p { margin: 0; }
        :lang(zh), :lang(ja) { line-break: strict; }
        body:lang(zh), body:lang(ja) { line-height: 1.9; }
        p:lang(zh), p:lang(ja), li:lang(zh), li:lang(ja) { text-align: justify; text-autospace: normal; }
        h1:lang(zh), h2:lang(zh), h3:lang(zh) { word-break: keep-all; overflow-wrap: anywhere; }
        h1:lang(zh), h1:lang(ja) { line-height: 1.32; letter-spacing: 0.01em; font-size: clamp(1.8rem, 1.35rem + 2vw, 2.55rem); }
        h2:lang(zh), h2:lang(ja) { letter-spacing: 0.01em; }
        .lead:lang(zh), .lead:lang(ja) { font-size: 1.1rem; line-height: 1.88; }
        figcaption:lang(zh), figcaption:lang(ja) { text-align: center; }
        em:lang(zh), em:lang(ja) { font-style: normal; -webkit-text-emphasis: filled dot; text-emphasis: filled dot; -webkit-text-emphasis-position: under right; text-emphasis-position: under right; }
        @media (min-width: 66rem) {
          .wide { margin-left: -5.5rem; margin-right: -5.5rem; }
        }
        @media print {
          :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #555; --line: #bbb; --plate: #fff; --accent: #8a3a25; }
          @page { size: auto; margin: 22mm 22mm 24mm; }
          @page { @bottom-center { content: counter(page); font: 9pt sans-serif; color: #555; } }
          html { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          body { background: none; }
          main { max-width: none; padding: 0; }
          header { margin-bottom: 1.6em; break-after: avoid; }
          h1 { font-size: 24pt; }
          h1, h2, h3, h4 { break-after: avoid; break-inside: avoid; }
          p, li { orphans: 3; widows: 3; }
          li { break-inside: avoid; }
          figure { break-inside: avoid; margin: 1.4em 0 1.6em; }
          figure > div, figcaption { break-inside: avoid; }
          figcaption { break-before: avoid; max-width: none; }
          img { max-height: 15cm; break-inside: avoid; }
          .wide { margin-left: 0; margin-right: 0; }
          .plate { padding: 0; }
          footer { break-inside: avoid; margin-top: 2.4em; }
        }

        """;

    /// <summary>The page's content security policy: no scripts, frames, forms or external resources, and only this style sheet.</summary>
    public static string ContentSecurityPolicy { get; } =
        $"default-src 'none'; img-src data:; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Css)))}'; base-uri 'none'; form-action 'none'";
}
