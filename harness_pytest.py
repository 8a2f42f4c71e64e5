"""What pytest loads in every project that has the harness installed; so it imports nothing of the harness itself."""
