"""Pictures and sounds of the demo footage, as sources of ffmpeg's filter graphs.

Pictures are drawn small and scaled up, smoothly or in whole pixels, because drawing costs more than encoding. ``{rate}`` stands for
the video's frame rate and ``{seconds}`` for the length of the scene.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """A look: ``source`` draws small frames; ``pixels`` keeps their edges hard when they are scaled up."""

    source: str
    pixels: bool = False


def _gradient(kind: str, seed: int, speed: float, *colours: str, size: str = "320x180") -> str:
    stops = ":".join(f"c{index}=0x{colour}" for index, colour in enumerate(colours))
    return f"gradients=s={size}:r={{rate}}:type={kind}:seed={seed}:speed={speed}:n={len(colours)}:{stops}"


def _clouds(seed: int, scale: int, palette: str) -> str:
    noise = f"perlin=s=160x90:r={{rate}}:octaves=3:xscale={scale}:yscale={scale}:tscale=0.4:random_seed={seed}"
    return f"{noise},format=yuv444p,pseudocolor=preset={palette}"


def _life(size: str, seed: int, live: str, dead: str, mould: str) -> str:
    return f"life=s={size}:r=12:ratio=0.33:mold=16:seed={seed}:life_color=#{live}:death_color=#{dead}:mold_color=#{mould}"


def _cells(rule: int, luma: str, u: int, v: int) -> str:
    return f"cellauto=s=160x90:r={{rate}}:rule={rule}:ratio=0.5:seed=5,format=yuv444p,lutyuv=y={luma}:u={u}:v={v}"


def _triangles(luma: str, u: int, v: int) -> str:
    return f"sierpinski=s=160x90:r={{rate}}:type=triangle:jump=8:seed=3,format=yuv444p,lutyuv=y={luma}:u={u}:v={v}"


def _fractal(place: str, palette: str) -> str:
    return f"mandelbrot=s=320x180:r=15:maxiter=160:{place},format=gray,gblur=0.8,format=yuv444p,pseudocolor=preset={palette}"


def _boxes() -> str:
    sizes = ((80, "c9ada7", "0.9", "0.7"), (46, "e07a5f", "1.3", "1.1"), (30, "81b29a", "2.1", "1.7"))
    layers = ["color=c=0x22223b:s=640x360:r={rate}"]
    for index, (size, colour, across, down) in enumerate(sizes):
        place = f"x='(W-w)/2*(1+0.9*sin(t*{across}+{index}))':y='(H-h)/2*(1+0.9*cos(t*{down}))'"
        layers.append(f"[back{index}];color=c=0x{colour}:s={size}x{size}:r={{rate}}[box{index}];[back{index}][box{index}]overlay={place}")
    return "".join(layers)


LOOKS = {
    "ember": Look(_gradient("linear", 7, 0.02, "14213d", "2a6f97", "e76f51", "f4a261", size="160x90")),
    "clouds": Look(_clouds(4, 3, "magma")),
    "fold": Look(_gradient("spiral", 5, 0.02, "3d0066", "5c0099", "ff9500", "ffc300")),
    "wheel": Look(_gradient("circular", 9, 0.03, "3c096c", "ff006e", "ffbe0b", "3a86ff")),
    "corner": Look(_gradient("square", 5, 0.03, "d8f3dc", "081c15", "40916c", "1b4332")),
    "lagoon": Look(_clouds(8, 2, "viridis")),
    "colony": Look(_life("160x90", 11, "f1faee", "1d3557", "457b9d"), pixels=True),
    "weave": Look(_cells(30, "30+val*0.75", 160, 100), pixels=True),
    "bloom": Look(_life("80x45", 3, "ffd166", "0b0b12", "ef476f"), pixels=True),
    "triangles": Look(_triangles("40+val*0.7", 118, 160), pixels=True),
    "thread": Look(_cells(110, "220-val*0.7", 105, 150), pixels=True),
    "boxes": Look(_boxes()),
    "island": Look(_fractal("end_scale=0.05:end_pts=300", "magma")),
    "rings": Look("zoneplate=s=320x180:r={rate}:kx2=12:ky2=12:kt=-5,format=yuv444p,pseudocolor=preset=cividis"),
    "glow": Look(_gradient("radial", 3, 0.012, "ffe8d6", "5bc0be", "0b132b")),
    "valley": Look(_fractal("start_x=-0.745:start_y=-0.11:start_scale=0.4:end_scale=0.02:end_pts=300", "plasma")),
    "curtain": Look("colorspectrum=s=320x180:r={rate}:type=white,format=yuv444p,hue=h=t*40"),
    "tiles": Look(_gradient("linear", 17, 0.04, "001219", "0a9396", "e9d8a6", "ee9b00", "ae2012", size="64x36"), pixels=True),
}  # fmt: skip


def _sweep(low: int, high: int) -> str:
    return f"0.22*sin(2*PI*({low}*t+({high - low})*t*t/(2*{{seconds}})))"


SOUNDS = {
    "silence": "0",
    "steady tone": "0.2*sin(2*PI*220*t)",
    "chord": "0.1*(sin(2*PI*220*t)+sin(2*PI*277.18*t)+sin(2*PI*329.63*t))",
    "rising tone": _sweep(220, 880),
    "falling tone": _sweep(880, 220),
    "pulses": "0.25*sin(2*PI*440*t)*lt(mod(t,1),0.15)",
    "trembling tone": "0.2*sin(2*PI*330*t)*(0.6+0.4*sin(4*PI*t))",
}
