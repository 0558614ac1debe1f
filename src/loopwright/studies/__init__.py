"""What studies conclude: tables and pictures over the results of their members."""
