"""What an untrusted media file may be, for every process that opens one."""

from __future__ import annotations

import os

FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,ogg,wav,mp3,aac,flac"
"""Containers, as ffmpeg names them. Playlists (HLS, DASH, concat) are not among them: they make requests and open other files."""

DECODERS = (
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg1video,mpeg2video,mpeg4,msmpeg4,msmpeg4v3,h263,theora,vc1,wmv3,prores,dnxhd,cfhd,dvvideo,ffv1,"
    "mjpeg,rawvideo,"
    "aac,aac_fixed,mp3,mp3float,mp2,mp2float,ac3,eac3,opus,libopus,vorbis,flac,alac,dca,truehd,wmav2,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav"
)

TEXT_CAPTIONS = ("mov_text", "subrip", "srt", "webvtt", "ass", "ssa", "text")

MAX_SIDE = 8192
"""Maximum pixels. A larger picture takes gigabytes to decode, and no current camera makes one."""

THREADS = max(1, min(4, os.cpu_count() or 1))
"""Threads of one decoder."""
