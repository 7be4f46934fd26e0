"""Calls of a client that openapi-python-client generated: it prints what a server answered."""

import json
import sys
from typing import Any

from client import AuthenticatedClient, Client
from client.api.events import get_events
from client.api.ideas import (
    get_products_product_ideas_reference,
    post_products_product_ideas,
    post_products_product_ideas_reference_promote,
    post_products_product_ideas_reference_upvote,
)
from client.api.products import get_products_product, post_products
from client.models import (
    PostProductsNewProduct,
    PostProductsProductIdeasBody,
    PostProductsProductIdeasReferencePromoteNoMembers,
    PostProductsProductIdeasReferenceUpvoteVote,
)

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)
product = PostProductsNewProduct.from_dict({"name": "Acme", "assumptions": {"pretty_body": True}})
made: Any = post_products.sync(client=client, body=product)
idea: Any = post_products_product_ideas.sync(
    "Acme", client=client, body=PostProductsProductIdeasBody(title="Dark mode")
)
place = ("Acme", idea.field_id)
post_products_product_ideas_reference_promote.sync(
    *place, client=client, body=PostProductsProductIdeasReferencePromoteNoMembers()
)
voted: Any = post_products_product_ideas_reference_upvote.sync(
    *place, client=client, body=PostProductsProductIdeasReferenceUpvoteVote()
)
found: Any = get_products_product_ideas_reference.sync(*place, client=client)
events: Any = get_events.sync(client=client)
missing: Any = get_products_product.sync_detailed("Initech", client=client)
stranger = get_products_product.sync_detailed("Acme", client=Client(base_url=url))
answers = {
    "product": made.name,
    "idea": [found.title, found.promoted],
    "upvotes": voted.upvotes,
    "events": sorted({each.event.value for each in events.items}),
    "missing": [missing.status_code, missing.parsed.code],
    "stranger": stranger.status_code,
}
print(json.dumps(answers))
