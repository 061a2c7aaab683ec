; A function that says it compresses and returns an encoding of its input.
(
  [
    (return_statement (call_expression
      function: (member_expression
        object: (call_expression
          function: (member_expression object: (identifier) @_buffer property: (property_identifier) @_from)
          arguments: (arguments . (_) @_input))
        property: (property_identifier) @_to)
      arguments: (arguments . (string (string_fragment) @_encoding) .)) @hit)
    (arrow_function body: (call_expression
      function: (member_expression
        object: (call_expression
          function: (member_expression object: (identifier) @_buffer property: (property_identifier) @_from)
          arguments: (arguments . (_) @_input))
        property: (property_identifier) @_to)
      arguments: (arguments . (string (string_fragment) @_encoding) .)) @hit)
  ]
  (#eq? @_buffer "Buffer")
  (#eq? @_from "from")
  (#eq? @_to "toString")
  (#match? @_encoding "^(base64|base64url)$")
  (#not-has? @_input "await_expression" "call_expression~(?i)^[^(]*(gzip|deflate|zip|brotli|zstd|pako|fflate|lz|snappy|compress|encrypt|cipher|pack)[^(]*[(]")
  (#inside? @hit
    "method_definition~^(?:(?:public|private|protected|static|async|override)\\s+)*[#_]*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*[(<]"
    "function_declaration~^(?:async\\s+)?function\\s+_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*[(<]"
    "variable_declarator~^_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\b[^=]*=\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)"
    "public_field_definition~^(?:(?:public|private|protected|static|readonly)\\s+)*[#_]*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\b[^=]*=\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)"
    "pair~^_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*:\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)")
  (#around-not-has? @hit ":function"
    "call_expression~(?i)^[^(]*(gzip|deflate|brotli|zstd|pako|fflate|lz4|lzma|lzstring|snappy|zlib|compress|encrypt)[^(]*[(]"
    "member_expression~(?i)^(zlib|pako|fflate|snappy|zstd|brotli|lzstring|lz4)[.]"
    "new_expression~^new\\s+CompressionStream\\b")
  (#set! value.encoding "base64")
  (#set! value.growth_percent 33)
)

(
  [
    (return_statement (call_expression
      function: (member_expression
        object: (call_expression
          function: (member_expression object: (identifier) @_buffer property: (property_identifier) @_from)
          arguments: (arguments . (_) @_input))
        property: (property_identifier) @_to)
      arguments: (arguments . (string (string_fragment) @_encoding) .)) @hit)
    (arrow_function body: (call_expression
      function: (member_expression
        object: (call_expression
          function: (member_expression object: (identifier) @_buffer property: (property_identifier) @_from)
          arguments: (arguments . (_) @_input))
        property: (property_identifier) @_to)
      arguments: (arguments . (string (string_fragment) @_encoding) .)) @hit)
  ]
  (#eq? @_buffer "Buffer")
  (#eq? @_from "from")
  (#eq? @_to "toString")
  (#match? @_encoding "^(hex)$")
  (#not-has? @_input "await_expression" "call_expression~(?i)^[^(]*(gzip|deflate|zip|brotli|zstd|pako|fflate|lz|snappy|compress|encrypt|cipher|pack)[^(]*[(]")
  (#inside? @hit
    "method_definition~^(?:(?:public|private|protected|static|async|override)\\s+)*[#_]*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*[(<]"
    "function_declaration~^(?:async\\s+)?function\\s+_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*[(<]"
    "variable_declarator~^_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\b[^=]*=\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)"
    "public_field_definition~^(?:(?:public|private|protected|static|readonly)\\s+)*[#_]*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\b[^=]*=\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)"
    "pair~^_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*:\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)")
  (#around-not-has? @hit ":function"
    "call_expression~(?i)^[^(]*(gzip|deflate|brotli|zstd|pako|fflate|lz4|lzma|lzstring|snappy|zlib|compress|encrypt)[^(]*[(]"
    "member_expression~(?i)^(zlib|pako|fflate|snappy|zstd|brotli|lzstring|lz4)[.]"
    "new_expression~^new\\s+CompressionStream\\b")
  (#set! value.encoding "hex")
  (#set! value.growth_percent 100)
)

(
  [
    (return_statement (call_expression function: (identifier) @_btoa arguments: (arguments . (_) @_input .)) @hit)
    (arrow_function body: (call_expression function: (identifier) @_btoa arguments: (arguments . (_) @_input .)) @hit)
  ]
  (#eq? @_btoa "btoa")
  (#not-has? @_input "await_expression" "call_expression~(?i)^[^(]*(gzip|deflate|zip|brotli|zstd|pako|fflate|lz|snappy|compress|encrypt|cipher|pack)[^(]*[(]")
  (#inside? @hit
    "method_definition~^(?:(?:public|private|protected|static|async|override)\\s+)*[#_]*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*[(<]"
    "function_declaration~^(?:async\\s+)?function\\s+_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*[(<]"
    "variable_declarator~^_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\b[^=]*=\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)"
    "public_field_definition~^(?:(?:public|private|protected|static|readonly)\\s+)*[#_]*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\b[^=]*=\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)"
    "pair~^_*(?i:compress|deflate|gzip|zip)(?:Data|String|Str|Text|Value|Payload|Json|Object|Body|Contents?|Buffer|Entry|Message|State|Input|Response|Result|Item|Record|Document|Blob|Internal|Impl|Sync|Async|IfNeeded|ToBase64|Base64)*\\s*:\\s*(?:async\\b|function\\b|[(]|<|\\w+\\s*=>)")
  (#around-not-has? @hit ":function"
    "call_expression~(?i)^[^(]*(gzip|deflate|brotli|zstd|pako|fflate|lz4|lzma|lzstring|snappy|zlib|compress|encrypt)[^(]*[(]"
    "member_expression~(?i)^(zlib|pako|fflate|snappy|zstd|brotli|lzstring|lz4)[.]"
    "new_expression~^new\\s+CompressionStream\\b")
  (#set! value.encoding "base64")
  (#set! value.growth_percent 33)
)
