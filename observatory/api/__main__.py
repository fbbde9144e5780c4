"""``python -m observatory.api``: prints the API's description, an OpenAPI 3.1 document."""

import json
import sys

from observatory.api.openapi import document

if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=2, ensure_ascii=False)
    print()
