"""Article 4: infrastructure as code, and the deployment pipeline that updates itself."""
