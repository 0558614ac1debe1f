"""Small pictures such as a task leaves in artifacts/."""

from __future__ import annotations

import math
import random
import struct
import zlib


def png(width: int, height: int) -> bytes:
    rows = b"".join(b"\0" + bytes((x * y // 160) % 256 for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def picture(draw: random.Random) -> str:
    dots = []
    for place in range(120):
        side, angle = place % 2, draw.random() * 2 * math.pi
        radius = 45 + 55 * side + draw.gauss(0, 6)
        x, y, color = (
            200 + radius * math.cos(angle),
            130 + radius * math.sin(angle),
            ("#4b87e8", "#e07b28")[side],
        )
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>')
    ring = '<circle cx="200" cy="130" r="72" fill="none" stroke="#888" stroke-dasharray="4 4"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 260">{ring}{"".join(dots)}</svg>'
