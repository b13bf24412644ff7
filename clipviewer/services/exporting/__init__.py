"""Exports: request, plan, render state and the export matrix."""
