"""Print the API's OpenAPI document, from which the explorer's types are generated."""

import json
import sys

from observatory.api import VIEWS, openapi

if __name__ == "__main__":
    operations = [operation for view in (*VIEWS, openapi) for operation in view.OPERATIONS]
    json.dump(openapi.describe(operations), sys.stdout)
