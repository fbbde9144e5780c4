"""Print the API's OpenAPI document, from which the explorer's types are generated."""

import json
import sys

from observatory.api.openapi import document

if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=2, ensure_ascii=False)
    print()
