; An axios instance without an agent. Node 19 and later keep connections alive
; by default.
(
  (call_expression
    function: (member_expression object: (identifier) @_axios property: (property_identifier) @_create)
    arguments: (arguments) @_options) @hit
  (#eq? @_axios "axios")
  (#eq? @_create "create")
  (#not-has? @_options
    "spread_element"
    "~^(httpAgent|httpsAgent|adapter|socketPath|transport|beforeRedirect)$"
    "~^['\"]?(fetch)['\"]?$")
  (#not-match? @_options "^[(]\\s*\\w")
  (#set! need.node-below "19")
)
