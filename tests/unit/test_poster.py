"""Choosing a video's poster among several pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from clipviewer.media.ffmpeg import MediaError
from clipviewer.media.previews.poster import best_picture
from clipviewer.media.raw_pictures import Picture


def noise(mean: float, spread: float, blur: float = 0.0) -> Picture:
    picture = np.random.default_rng(3).normal(mean, spread, (180, 320)).astype(np.float32)
    if blur:
        picture = cv2.GaussianBlur(picture, None, blur)
        picture = (picture - picture.mean()) / picture.std() * spread + mean
    return np.clip(picture, 0, 255).astype(np.uint8)


def chosen(folder: Path, *pictures: Picture) -> int:
    paths = [folder / f"{index}.png" for index in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        cv2.imwrite(str(path), picture)
    return paths.index(best_picture(paths))


def test_a_sharp_picture_is_better_than_a_blurred_one(tmp_path: Path) -> None:
    assert chosen(tmp_path, noise(120, 40, blur=8), noise(120, 40, blur=1), noise(120, 40, blur=4)) == 1


@pytest.mark.parametrize("mean", [8, 247])
def test_a_grainy_picture_that_is_nearly_black_or_white_is_worse_than_a_softer_one(tmp_path: Path, mean: int) -> None:
    assert chosen(tmp_path, noise(mean, 25), noise(120, 25, blur=2)) == 1


def test_a_plain_picture_is_worse_than_one_with_shades(tmp_path: Path) -> None:
    stripes = np.tile(np.repeat(np.uint8([60, 180]), 2), (180, 80))
    assert chosen(tmp_path, stripes, noise(120, 50, blur=0.6)) == 1


def test_bars_around_the_picture_are_not_taken_for_contrast(tmp_path: Path) -> None:
    flat, good = (np.pad(picture, ((200, 200), (0, 0))) for picture in (noise(150, 4), noise(90, 35, blur=1)))
    assert chosen(tmp_path, flat, good) == 1


def test_a_tie_is_won_by_the_first(tmp_path: Path) -> None:
    picture = noise(120, 40)
    assert chosen(tmp_path, picture, picture) == 0


def test_a_video_that_is_all_black_has_a_poster_too(tmp_path: Path) -> None:
    assert chosen(tmp_path, np.zeros((180, 320), np.uint8)) == 0


def test_no_readable_picture_is_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(MediaError, match="No picture"):
        best_picture([tmp_path / "broken.jpg"])
