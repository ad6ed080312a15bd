"""Why this one: contributions, reasons, causes that findings share."""
