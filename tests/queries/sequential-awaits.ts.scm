; Reads that are awaited in turn though none names what another binds.
(
  (lexical_declaration
    (variable_declarator value: [
      (await_expression (call_expression
        function: (member_expression object: (_) @_receiver property: (property_identifier) @_read)
        arguments: (arguments) @_arguments) @call) @hit
      (await_expression (call_expression
        function: (member_expression object: (_) @_receiver property: (property_identifier) @_post)
        arguments: (arguments . (string (string_fragment) @_url)) @_body) @call) @hit
      (call_expression
        function: (await_expression
          (member_expression object: (_) @_receiver property: (property_identifier) @_read))
        arguments: (arguments) @_arguments) @call @hit
      (call_expression
        function: (await_expression
          (member_expression object: (_) @_receiver property: (property_identifier) @_post))
        arguments: (arguments . (string (string_fragment) @_url)) @_body) @call @hit
    ])) @_first
  . (comment)* @_between .
  (lexical_declaration
    (variable_declarator value: [
      (await_expression (call_expression
        function: (member_expression object: (_) @_receiver property: (property_identifier) @_read)
        arguments: (arguments) @_arguments) @call)
      (await_expression (call_expression
        function: (member_expression object: (_) @_receiver property: (property_identifier) @_post)
        arguments: (arguments . (string (string_fragment) @_url)) @_body) @call)
      (call_expression
        function: (await_expression
          (member_expression object: (_) @_receiver property: (property_identifier) @_read))
        arguments: (arguments) @_arguments) @call
      (call_expression
        function: (await_expression
          (member_expression object: (_) @_receiver property: (property_identifier) @_post))
        arguments: (arguments . (string (string_fragment) @_url)) @_body) @call
    ])) @_next
  (#match? @_receiver "(?i)(^|[.#]|[a-z0-9])(axios|http|client|api|prisma|repo|repository|db|database|model|knex|dao|store)([.]\\w+)?$")
  (#not-match? @_receiver "(?i)(^|[.])(tx|trx|t|transaction|session|manager|em|queryrunner|conn|connection)([.]|$)")
  (#match? @_read "^(get|head|options|find\\w*|count|aggregate|groupBy|list\\w*|load\\w*|fetch\\w*|read\\w*|search\\w*|lookup\\w*)$")
  (#not-match? @_read "(?i)create|update|delete|modify|upsert|increment|and|next|lock|for_?update")
  (#eq? @_post "post")
  (#match? @_url "(?i)(json)?rpc/?$")
  (#has? @_body "ERROR" "string_fragment~^(eth_(get\\w+|call|blockNumber|chainId|estimateGas|gasPrice)|net_version|\\w+_get\\w*|\\w+List)$")
  (#not-has? @_arguments "await_expression" "~^(tx|trx|transaction|session|sharedContext|queryRunner|manager)$")
  (#not-match? @_between "(?i)\\b(order|first|before|after|sequential|must|race|do not parallel)\\b")
  (#not-inside? @hit
    "catch_clause" "finally_clause"
    "call_expression~(?i)^[^(]*(transaction|withlock|runexclusive)\\w*\\s*(<[^(]*>)?[(]")
  (#independent-chain! @_first @_next)
)
