"""The demonstration studio: layouts land, and credited backgrounds are in review minutes later."""
