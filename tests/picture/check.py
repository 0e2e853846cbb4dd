# SPDX-License-Identifier: GPL-2.0-only
"""Compare what examples/picture.c made, a BMP or PPM file, with what it must be.

The camera shows squares in eight colours, eight of them side by side, and each row
begins with the next colour. The picture is that, 320x180; below it a part, 128x72
from 100,30 on; beside both the same upside down.
"""

import struct
import sys

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
COLOURS = [WHITE, (255, 255, 0), (0, 255, 255), (0, 255, 0),
           (255, 0, 255), (255, 0, 0), (0, 0, 255), BLACK]
WIDTH, HEIGHT = 320, 180
LEFT, TOP, PART_WIDTH, PART_HEIGHT = 100, 30, 128, 72


def camera(x, y):
    return COLOURS[(y * 8 // HEIGHT + x * 8 // WIDTH) % 8]


def expected(x, y):
    flipped, x = divmod(x, WIDTH)
    if y < HEIGHT:
        return camera(x, HEIGHT - 1 - y if flipped else y)
    x -= (WIDTH - PART_WIDTH) // 2
    y -= HEIGHT + (HEIGHT - PART_HEIGHT) // 2
    if not (0 <= x < PART_WIDTH and 0 <= y < PART_HEIGHT):
        return BLACK
    return camera(LEFT + x, TOP + (PART_HEIGHT - 1 - y if flipped else y))


def read_ppm(data):
    kind, width, height, most = data.split(maxsplit=4)[:4]
    if (kind, most) != (b"P6", b"255"):
        sys.exit("no PPM file with 8 bits")
    size = (int(width), int(height))
    body = data[-3 * size[0] * size[1]:]
    return size, lambda i: tuple(body[3 * i:3 * i + 3])


def read_bmp(data):
    start, _, width, height, _, bits = struct.unpack_from("<IIiiHH", data, 10)
    if data[:2] != b"BM" or bits != 32 or height >= 0:
        sys.exit("no BMP file with 32 bits and the first row on top")
    if len(data) != start - 4 * width * height:
        sys.exit("the BMP file has the wrong length")
    return (width, -height), lambda i: tuple(data[start + 4 * i + c] for c in (2, 1, 0))


def main(path):
    with open(path, "rb") as file:
        data = file.read()
    size, pixel = (read_bmp if path.endswith(".bmp") else read_ppm)(data)
    if size != (2 * WIDTH, 2 * HEIGHT):
        sys.exit(f"{path} is {size[0]}x{size[1]}")
    for i in range(size[0] * size[1]):
        y, x = divmod(i, size[0])
        if pixel(i) != expected(x, y):
            sys.exit(f"{path}: pixel {x},{y} is {pixel(i)}, not {expected(x, y)}")


main(sys.argv[1])
