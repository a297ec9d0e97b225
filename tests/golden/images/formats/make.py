#!/usr/bin/python3
"""Writes formats.zip and formats.json: pictures in the formats that are read, and what Pillow makes of them and of damaged copies.

Needs Pillow 9.4 with libjpeg-turbo 2.1, libwebp 1.2 and libtiff 4.5 (Debian 12: python3-pil, python3-numpy), and the programs cjpeg,
jpegtran, img2webp and tiffcp (libjpeg-turbo-progs, webp, libtiff-tools). The C# test repeats the damage with the same generator of random numbers.
"""
import hashlib, io, json, os, struct, subprocess, sys, tempfile, warnings, zipfile
import numpy as np
from PIL import Image, ImageOps

MUTATIONS = 40
MAX_PIXELS = 1_000_000
HERE = os.path.dirname(os.path.abspath(__file__))
warnings.simplefilter('ignore')


def photo(width, height, seed):
    r = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    a = np.zeros((height, width, 3))
    for c in range(3):
        for _ in range(6):
            a[..., c] += np.sin(r.uniform(0, .2) * x + r.uniform(0, .2) * y + r.uniform(0, 6.3))
    a = (a - a.min()) / (a.max() - a.min() + 1e-9) * 255
    a[height // 3:height // 2, width // 4:width // 2] = [230, 20, 40]
    return Image.fromarray((a + r.normal(0, 3, a.shape)).clip(0, 255).astype('uint8'))


def pillow(data, upright=False):
    """Size and hash of the pixels; '' where Pillow refuses, '?' where the picture is too large to compare."""
    try:
        image = Image.open(io.BytesIO(data))
        if image.size[0] * image.size[1] > MAX_PIXELS:
            return '?'
        if upright:
            image.load()
            image = ImageOps.exif_transpose(image)
        image = image.convert('RGB')
    except Exception:
        return ''
    return hashlib.sha256(struct.pack('<ii', *image.size) + image.tobytes()).hexdigest()[:12]


class Generator:
    """Knuth's multiplier, 64 bits."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.state >> 33) % limit


def mutate(data, seed):
    r, b = Generator(seed), bytearray(data)
    for _ in range(1 + r.below(3)):
        # Half of the damage goes to the front, where the headers are.
        position = r.below(min(700, len(b)) if r.below(2) else len(b))
        kind = r.below(7)
        if kind == 0:
            b[position] ^= 1 << r.below(8)
        elif kind == 1:
            b[position] = r.below(256)
        elif kind == 2:
            b[position] = 255 * r.below(2)
        elif kind == 3:
            source, length = r.below(len(b)), 1 + r.below(40)
            length = min(length, len(b) - max(source, position))
            b[position:position + length] = b[source:source + length]
        elif kind == 4:
            if r.below(3) == 0 and len(b) > 64:
                del b[64 + r.below(len(b) - 64):]
        elif kind == 5:
            if len(b) > 64:
                del b[position:position + 1 + r.below(4)]
        else:
            b[position:position] = bytes(r.below(256) for _ in range(1 + r.below(4)))
    return bytes(b)


def without_segment(jpeg, marker):
    out, position = bytearray(jpeg[:2]), 2
    while jpeg[position + 1] != 0xDA:
        length = 2 + struct.unpack('>H', jpeg[position + 2:position + 4])[0]
        if jpeg[position + 1] != marker:
            out += jpeg[position:position + length]
        position += length
    return bytes(out + jpeg[position:])


def make(folder):
    files = {}
    image = photo(61, 43, 1)
    alpha = image.convert('RGBA')
    alpha.putalpha(image.convert('L'))

    def save(name, picture=image, **options):
        buffer = io.BytesIO()
        picture.save(buffer, {'jpg': 'JPEG', 'tif': 'TIFF'}.get(name.rsplit('.')[-1], name.rsplit('.')[-1].upper()), **options)
        files[name] = buffer.getvalue()

    def run(name, *command):
        path = os.path.join(folder, name)
        subprocess.run([part.replace('OUT', path) for part in command], cwd=folder, capture_output=True)
        if os.path.exists(path) and os.path.getsize(path) > 0:
            files[name] = open(path, 'rb').read()

    image.save(os.path.join(folder, 'in.ppm'))
    for factors in ('1x1', '2x1', '1x2', '2x2', '4x1', '1x4', '4x2', '2x4', '3x1', '1x3', '2x1,1x2,1x1', '2x2,2x1,1x2', '1x1,2x2,2x2'):
        for label, options in (('', []), ('-progressive', ['-progressive']), ('-restart', ['-restart', '1B']), ('-progressive-restart', ['-progressive', '-restart', '3B'])):
            run(f'jpeg-{factors.replace(",", "_")}{label}.jpg', 'cjpeg', '-sample', factors, *options, '-outfile', 'OUT', 'in.ppm')
    for label, options in (('rgb', ['-rgb']), ('gray', ['-grayscale']), ('gray-progressive', ['-grayscale', '-progressive']), ('gray-2x2', ['-grayscale', '-sample', '2x2']), ('q1', ['-quality', '1']), ('q100', ['-quality', '100', '-optimize'])):
        run(f'jpeg-{label}.jpg', 'cjpeg', *options, '-outfile', 'OUT', 'in.ppm')
    open(os.path.join(folder, 'separate'), 'w').write('0; 1; 2;')
    run('jpeg-separate.jpg', 'cjpeg', '-scans', 'separate', '-outfile', 'OUT', 'in.ppm')
    for size in (1, 2, 3, 8, 9, 17):
        save(f'jpeg-width-{size}.jpg', photo(size, size + 3, size))
    save('jpeg-cmyk.jpg', image.convert('CMYK'))
    files['jpeg-cmyk-no-adobe.jpg'] = without_segment(files['jpeg-cmyk.jpg'], 0xEE)
    files['jpeg-no-huffman-tables.jpg'] = without_segment(files['jpeg-2x2.jpg'], 0xC4)
    files['jpeg-no-end.jpg'] = files['jpeg-2x2.jpg'][:-2]
    files['jpeg-stray-bytes.jpg'] = files['jpeg-2x2.jpg'][:20] + b'\0\0\x17' + files['jpeg-2x2.jpg'][20:]

    for quality in (1, 30, 80, 100):
        save(f'webp-q{quality}.webp', quality=quality, method=quality % 7)
    for method in (0, 3, 6):
        save(f'webp-lossless-{method}.webp', lossless=True, method=method)
    for colors in (2, 4, 12, 200):
        save(f'webp-lossless-{colors}-colors.webp', image.quantize(colors).convert('RGB'), lossless=True)
    save('webp-alpha.webp', alpha, quality=60)
    save('webp-alpha-lossless.webp', alpha, lossless=True, exact=True)
    save('webp-animated.webp', save_all=True, append_images=[photo(61, 43, 2)])
    for size in (1, 2, 5, 16, 17):
        save(f'webp-width-{size}.webp', photo(size, size + 2, size))
        save(f'webp-lossless-width-{size}.webp', photo(size, size + 2, size), lossless=True)

    for label, picture in (('rgb', image), ('gray', image.convert('L')), ('bits', image.convert('1')), ('palette', image.quantize(50)), ('palette-16', image.quantize(16)), ('inks', image.convert('CMYK')), ('alpha', alpha)):
        save(f'tiff-{label}.tif', picture)
        open(os.path.join(folder, f'{label}.tif'), 'wb').write(files[f'tiff-{label}.tif'])
        ways = {'tiles': ['-t', '-w', '32', '-l', '16'], 'planar': ['-p', 'separate', '-c', 'lzw'], 'big-endian': ['-B', '-c', 'lzw:2'], 'zip': ['-c', 'zip:2'], 'packbits': ['-r', '7', '-c', 'packbits'], 'big': ['-8'], 'jpeg': ['-c', 'jpeg:r:70', '-t', '-w', '32', '-l', '32']}
        if label == 'bits':
            ways = {'g4': ['-c', 'g4'], 'g3': ['-c', 'g3:1d'], 'g3-2d': ['-c', 'g3:2d'], 'g3-fill': ['-c', 'g3:2d:fill'], 'g4-lsb': ['-c', 'g4', '-f', 'lsb2msb'], 'g4-tiles': ['-c', 'g4', '-t', '-w', '32', '-l', '32']}
        for way, options in ways.items():
            if way != 'jpeg' or label in ('rgb', 'gray'):
                run(f'tiff-{label}-{way}.tif', 'tiffcp', *options, f'{label}.tif', 'OUT')
    save('tiff-jpeg.tif', compression='jpeg')
    runs, r = np.zeros((120, 3000), bool), np.random.default_rng(3)
    for y in range(120):
        x, is_black = 0, False
        while x < 3000:
            length = int(r.choice([1, 2, r.integers(1, 64), r.integers(1, 200), r.integers(64, 2700)]))
            runs[y, x:x + length] = is_black
            x, is_black = x + length, not is_black
    Image.fromarray(runs).save(os.path.join(folder, 'runs.tif'))
    for way, option in (('g4', 'g4'), ('g3', 'g3:1d'), ('g3-2d', 'g3:2d')):
        run(f'tiff-runs-{way}.tif', 'tiffcp', '-c', option, 'runs.tif', 'OUT')
    save('tiff-runs-huffman.tif', Image.fromarray(runs), compression='tiff_ccitt')

    for label, picture in (('rgb', image), ('rgba', alpha), ('gray', image.convert('L')), ('gray-alpha', image.convert('LA')), ('palette', image.quantize(40)), ('palette-3', image.quantize(3)), ('bits', image.convert('1'))):
        save(f'png-{label}.png', picture)
    files['png-no-end.png'] = files['png-rgb.png'][:-12]
    files['png-wrong-checksum.png'] = files['png-rgb.png'][:-16] + b'\1\2\3\4' + files['png-rgb.png'][-12:]
    for label, picture, options in (('plain', image, {}), ('gray', image.convert('L'), {}), ('few', image.quantize(3), {}), ('flat', image, {'interlace': 0}), ('animated', image, {'save_all': True, 'append_images': [photo(61, 43, 3)]})):
        save(f'gif-{label}.gif', picture, **options)
    files['gif-screen-0x0.gif'] = files['gif-plain.gif'][:6] + b'\0\0\0\0' + files['gif-plain.gif'][10:]
    for label, picture in (('rgb', image), ('rgba', alpha), ('gray', image.convert('L')), ('palette', image.quantize(40)), ('few', image.quantize(3)), ('bits', image.convert('1'))):
        save(f'bmp-{label}.bmp', picture)
    files['bmp-run-length.bmp'] = run_length(image.quantize(40))

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        save(f'upright-{orientation}.jpg', exif=exif)
        if orientation in (3, 6):
            save(f'upright-{orientation}.png', exif=exif)
            save(f'upright-{orientation}.webp', exif=exif)
    return files


def run_length(image):
    """An 8-bit BMP with runs, literals and row ends, as Windows wrote them."""
    width, height = image.size
    rows, data = np.asarray(image), bytearray()
    for y in reversed(range(height)):
        x = 0
        while x < width:
            run = 1
            while x + run < width and run < 255 and rows[y, x + run] == rows[y, x]:
                run += 1
            if run == 1 and x + 3 <= width:
                data += bytes([0, 3]) + bytes(rows[y, x:x + 3].tolist()) + b'\0'
                x += 3
            else:
                data += bytes([run, rows[y, x]])
                x += run
        data += b'\0\0'
    data += b'\0\1'
    palette = b''.join(bytes([b, g, r, 0]) for r, g, b in np.array(image.getpalette()[:120]).reshape(-1, 3).astype(int).tolist())
    start = 54 + len(palette)
    return b'BM' + struct.pack('<IHHI', start + len(data), 0, 0, start) + struct.pack('<IiiHHIIiiII', 40, width, height, 1, 8, 1, len(data), 2835, 2835, len(palette) // 4, 0) + palette + bytes(data)


def main():
    with tempfile.TemporaryDirectory() as folder:
        files = make(folder)
    cases = []
    with zipfile.ZipFile(os.path.join(HERE, 'formats.zip'), 'w', zipfile.ZIP_DEFLATED) as pack:
        for number, (name, data) in enumerate(sorted(files.items())):
            entry = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            pack.writestr(entry, data, zipfile.ZIP_DEFLATED)
            cases.append({'file': name, 'pixels': pillow(data), 'upright': pillow(data, upright=True), 'damaged': ' '.join(pillow(mutate(data, 1000 * number + round)) or '-' for round in range(MUTATIONS))})
    json.dump(cases, open(os.path.join(HERE, 'formats.json'), 'w'), indent=1)
    print(len(cases), 'files,', sum(case['pixels'] == '' for case in cases), 'that Pillow refuses')


if __name__ == '__main__':
    main()
