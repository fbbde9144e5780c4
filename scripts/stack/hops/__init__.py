"""Cross every hop of the contract, and judge from the traces what each carried."""
