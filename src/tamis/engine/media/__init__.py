"""Pure work on decoded sound and video: passages of speech, pauses, segments."""
