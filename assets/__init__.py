"""Where the studio's files from npm come from."""
