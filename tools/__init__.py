"""Writers of the files in docs/, schemas/json/ and deploy/ that are generated from the code."""
