"""clipviewer: the clip review room for a team's own bucket."""
