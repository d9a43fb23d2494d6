"""Route submissions: python route.py INPUT... --out DIR. All options: python route.py --help."""

from pipeline.console import route, run_command

if __name__ == "__main__":
    run_command(route)
