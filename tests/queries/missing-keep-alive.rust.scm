; An HTTP client that is built for one request: its connections go with it.
(
  (call_expression
    function: (field_expression
      value: (call_expression function: (scoped_identifier) @_new arguments: (arguments)) @hit
      field: (field_identifier) @_method))
  (#match? @_new "^(::)?(reqwest::)?(blocking::)?Client::(new|default)$")
  (#match? @_method "^(get|post|put|patch|delete|head|request|execute)$")
  (#inside? @hit "function_item~^(?:pub(?:[(][^)]*[)])?\\s+)?(?:unsafe\\s+)?async\\s")
  (#not-inside? @hit
    "function_item~\\bfn\\s+(?:new|try_new|default|from_\\w+|build\\w*|create\\w*|connect\\w*|open\\w*|init\\w*|setup\\w*|start\\w*|run|serve|main|bootstrap\\w*|register_\\w+|load_config|wait_\\w+|health\\w*|probe\\w*)\\s*[(<]"
    "static_item" "const_item" "closure_expression")
  (#set! value.client "reqwest")
  (#set! variant "client-per-call")
)
(
  (call_expression function: (scoped_identifier) @_get) @hit
  (#match? @_get "^(::)?reqwest::(blocking::)?get$")
  (#inside? @hit "function_item~^(?:pub(?:[(][^)]*[)])?\\s+)?(?:unsafe\\s+)?async\\s")
  (#not-inside? @hit
    "function_item~\\bfn\\s+(?:new|try_new|default|from_\\w+|build\\w*|create\\w*|connect\\w*|open\\w*|init\\w*|setup\\w*|start\\w*|run|serve|main|bootstrap\\w*|register_\\w+|load_config|wait_\\w+|health\\w*|probe\\w*)\\s*[(<]"
    "static_item" "const_item" "closure_expression")
  (#set! value.client "reqwest")
  (#set! variant "client-per-call")
)
