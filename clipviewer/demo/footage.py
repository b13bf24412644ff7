"""Render the master of a demo video with one run of ffmpeg: its scenes in sequence, with the counter on top."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipviewer.demo import counter
from clipviewer.demo.looks import LOOKS, SOUNDS
from clipviewer.demo.plan import DemoVideo
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.render.cut import KEYFRAME_SECONDS

WIDTH, HEIGHT = 1280, counter.MASTER_HEIGHT

# Every other preset of x264 takes two to four times as long here, and the drawn pictures gain nothing that one would see.
PRESET = "ultrafast"


def render_master(
    ffmpeg: Ffmpeg,
    video: DemoVideo,
    out: Path,
    *,
    timeout: float = 900,
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write the whole video to ``out``, with the counter's raw pictures beside it while it renders. Raises as ``Ffmpeg.run`` does."""
    rate = str(video.frame_rate)
    frames = sum(video.scene_frames())
    pictures = out.with_name(f"{out.name}.counter")
    with pictures.open("wb") as file:
        file.writelines(counter.counter_frames(frames, video.frame_rate))
    ffmpeg.run(
        [
            "-f", "rawvideo", "-pixel_format", "gray", "-video_size", f"{counter.WIDTH}x{counter.HEIGHT}",
            "-framerate", rate, "-i", f"file:{pictures}",
            "-filter_complex", _graph(video), "-map", "[picture]", "-map", "[sound]", "-frames:v", str(frames),
            "-c:v", "libx264", "-preset", PRESET, "-crf", "22", "-g", str(KEYFRAME_SECONDS * video.frame_rate),
            "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000",
            "-map_metadata", "-1", "-movflags", "+faststart", "-f", "mp4", "-y", f"file:{out}",
        ],
        timeout=timeout, on_progress=on_progress, cancelled=cancelled,
    )  # fmt: skip
    pictures.unlink()


def _graph(video: DemoVideo) -> str:
    chains, pads = [], ""
    for index, (scene, frames) in enumerate(zip(video.scenes, video.scene_frames(), strict=True)):
        look = LOOKS[scene.look]
        scaling = "neighbor" if look.pixels else "bicubic"
        seconds = f"{frames / video.frame_rate:.6f}"
        source = look.source.replace("{rate}", str(video.frame_rate)).replace("[", f"[scene{index}")
        shape = f"scale={WIDTH}:{HEIGHT}:flags={scaling},fps={video.frame_rate},format=yuv420p,setsar=1"
        chains.append(f"{source},{shape},trim=end_frame={frames},setpts=PTS-STARTPTS[v{index}]")
        sound = SOUNDS[scene.sound].replace("{seconds}", seconds)
        fades = f"afade=d=0.05,afade=t=out:d=0.05:st={float(seconds) - 0.05:.6f}"
        chains.append(f"aevalsrc=exprs='{sound}':s=48000:d={seconds},{fades}[a{index}]")
        pads += f"[v{index}][a{index}]"
    chains.append(f"{pads}concat=n={len(video.scenes)}:v=1:a=1[footage][sound]")
    size = f"{counter.WIDTH * counter.SCALE}:{counter.HEIGHT * counter.SCALE}"
    chains.append(f"[0:v]scale={size}:flags=neighbor,format=yuv420p[counter]")
    chains.append(f"[footage][counter]overlay=x=(W-w)/2:y={counter.TOP}:eof_action=endall,format=yuv420p[picture]")
    return ";".join(chains)
