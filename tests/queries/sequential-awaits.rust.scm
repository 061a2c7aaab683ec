; Reads over the network that are awaited in turn though none names what
; another binds.
(
  (let_declaration value: [
    (await_expression (call_expression) @call) @hit
    (try_expression (await_expression (call_expression) @call) @hit)
    (try_expression (call_expression function: (field_expression
      value: (await_expression (call_expression) @call) @hit)))
    (call_expression function: (field_expression
      value: (await_expression (call_expression) @call) @hit))
  ]) @_first
  . [(line_comment) (block_comment)]* @_between .
  (let_declaration value: [
    (await_expression (call_expression) @call)
    (try_expression (await_expression (call_expression) @call))
    (try_expression (call_expression function: (field_expression
      value: (await_expression (call_expression) @call))))
    (call_expression function: (field_expression
      value: (await_expression (call_expression) @call)))
  ]) @_next
  (#match? @call "(?s)[.](get|head)\\s*[(].*[.]send\\s*[(]\\s*[)]$|[.](fetch_one|fetch_all|fetch_optional)\\s*[(]\\s*&\\s*[\\w.]*pool\\s*[)]$|^reqwest::get\\s*[(]")
  (#not-has? @call "await_expression" "mutable_specifier" "~^(tx|txn|trx|transaction|conn|connection)$" "string_content~(?i)\\b(insert|update|delete|for share|nextval|pg_advisory)\\b")
  (#not-match? @_between "(?i)\\b(order|first|before|after|sequential|must|race)\\b")
  (#inside? @hit "function_item~^(?:pub(?:[(][^)]*[)])?\\s+)?(?:unsafe\\s+)?async\\s" "async_block")
  (#independent-chain! @_first @_next)
)
