"""Previews of a video: poster, filmstrip, waveform."""
