; A written wait of 60 s or more for a connection of a pool that is larger than
; a stock PostgreSQL's 97 usable connections.
(
  (pair
    key: (property_identifier) @_pool
    value: (object
      (pair key: (property_identifier) @_max value: (number) @max)
      (pair key: (property_identifier) @_acquire value: (_) @acquire)) @hit)
  (#eq? @_pool "pool")
  (#eq? @_max "max")
  (#eq? @_acquire "acquire")
  (#number? @max "> 97")
  (#number? @acquire ">= 60000")
)
(
  (pair
    key: (property_identifier) @_pool
    value: (object
      (pair key: (property_identifier) @_acquire value: (_) @acquire)
      (pair key: (property_identifier) @_max value: (number) @max)) @hit)
  (#eq? @_pool "pool")
  (#eq? @_max "max")
  (#eq? @_acquire "acquire")
  (#number? @max "> 97")
  (#number? @acquire ">= 60000")
)
