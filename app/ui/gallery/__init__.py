"""Every picture that was kept: seen, found again, compared, taken anywhere."""
