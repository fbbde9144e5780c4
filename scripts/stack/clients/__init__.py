"""What a buyer, a page or an administrator does, through the same APIs as they do."""
