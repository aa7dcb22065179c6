"""The demo app that the pipeline deploys: `application.py`, and nothing else of this folder."""
