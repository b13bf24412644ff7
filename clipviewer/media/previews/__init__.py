"""What stands for a video: poster, filmstrip, waveform."""
