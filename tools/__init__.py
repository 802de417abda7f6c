"""Writers of the files in docs/, schemas/json/ and deploy/ that are made from the code."""
