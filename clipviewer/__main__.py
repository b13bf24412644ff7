import sys

from clipviewer.cli import main

sys.exit(main())
