; The timer of a race that no one clears. First in a wrapper that any caller may
; use, with a long or unknown timeout; then anywhere.
(
  (call_expression function: (identifier) @_timer
    arguments: (arguments (_) . [(identifier) (member_expression) (binary_expression) (call_expression)] @delay)) @hit
  (#eq? @_timer "setTimeout")
  (#inside? @hit "new_expression~^new\\s+Promise\\b > array > call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(])")
  (#around-not-has? @hit "call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(]) > :function" "~^(clearTimeout|unref)$")
  (#around-has? @hit "call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(]) > :function"
    "required_parameter~(=>|Promise|^(fn|func|promise|task|operation|work|action|callback)\\b)"
    "optional_parameter~(=>|Promise)"
    "formal_parameters~^[(]\\s*(fn|func|promise|task|operation|work|action|callback)\\b")
  (#set! value.wrapper_long true)
)
(
  (call_expression function: (identifier) @_timer arguments: (arguments (_) . (number) @delay)) @hit
  (#number? @delay ">= 5000")
  (#eq? @_timer "setTimeout")
  (#inside? @hit "new_expression~^new\\s+Promise\\b > array > call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(])")
  (#around-not-has? @hit "call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(]) > :function" "~^(clearTimeout|unref)$")
  (#around-has? @hit "call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(]) > :function"
    "required_parameter~(=>|Promise|^(fn|func|promise|task|operation|work|action|callback)\\b)"
    "optional_parameter~(=>|Promise)"
    "formal_parameters~^[(]\\s*(fn|func|promise|task|operation|work|action|callback)\\b")
  (#set! value.wrapper_long true)
)
(
  (call_expression function: (identifier) @_timer
    arguments: (arguments (_) . [(identifier) (member_expression) (binary_expression) (call_expression)] @delay)) @hit
  (#eq? @_timer "setTimeout")
  (#inside? @hit "new_expression~^new\\s+Promise\\b > array > call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(])")
  (#around-not-has? @hit "call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(]) > :function" "~^(clearTimeout|unref)$")
  (#set! value.wrapper_long false)
)
(
  (call_expression function: (identifier) @_timer arguments: (arguments (_) . (number) @delay)) @hit
  (#number? @delay ">= 1000")
  (#eq? @_timer "setTimeout")
  (#inside? @hit "new_expression~^new\\s+Promise\\b > array > call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(])")
  (#around-not-has? @hit "call_expression~^Promise\\s*[.]\\s*race\\s*(<|[(]) > :function" "~^(clearTimeout|unref)$")
  (#set! value.wrapper_long false)
)
