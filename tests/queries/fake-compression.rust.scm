; A function that says it compresses and returns an encoding of its input.
(
  [
    (block (call_expression function: [(scoped_identifier) (field_expression)] @_encode) @hit .)
    (return_expression (call_expression function: [(scoped_identifier) (field_expression)] @_encode) @hit)
    (block (call_expression function: (identifier) @_ok arguments: (arguments . (call_expression function: [(scoped_identifier) (field_expression)] @_encode) @hit .)) .)
  ]
  (#eq? @_ok "Ok")
  (#match? @_encode "^(::)?base64::encode\\w*$|(^|::|[.])((STANDARD|URL_SAFE)(_NO_PAD)?|BASE64\\w*)\\s*[.]\\s*encode$")
  (#inside? @hit "function_item~^(?:pub(?:[(][^)]*[)])?\\s+)?(?:async\\s+|const\\s+)*fn\\s+(?:compress|deflate|gzip|zip)(?:_(?:data|string|str|text|value|payload|json|body|content|bytes|entry|message|state))*\\s*[(<]")
  (#around-not-has? @hit "function_item"
    "~(?i)^(flate2|gzencoder|zlibencoder|deflateencoder|zstd|brotli\\w*|lz4\\w*|lzma|snap|snappy|xz2|bzip2|deflate_bytes|compress_\\w+|encode_all)$")
  (#set! value.encoding "base64")
  (#set! value.growth_percent 33)
)

(
  [
    (block (call_expression function: [(scoped_identifier) (field_expression)] @_encode) @hit .)
    (return_expression (call_expression function: [(scoped_identifier) (field_expression)] @_encode) @hit)
    (block (call_expression function: (identifier) @_ok arguments: (arguments . (call_expression function: [(scoped_identifier) (field_expression)] @_encode) @hit .)) .)
  ]
  (#eq? @_ok "Ok")
  (#match? @_encode "^(::)?hex::encode\\w*$|(^|::)(HEXLOWER|HEXUPPER)\\s*[.]\\s*encode$")
  (#inside? @hit "function_item~^(?:pub(?:[(][^)]*[)])?\\s+)?(?:async\\s+|const\\s+)*fn\\s+(?:compress|deflate|gzip|zip)(?:_(?:data|string|str|text|value|payload|json|body|content|bytes|entry|message|state))*\\s*[(<]")
  (#around-not-has? @hit "function_item"
    "~(?i)^(flate2|gzencoder|zlibencoder|deflateencoder|zstd|brotli\\w*|lz4\\w*|lzma|snap|snappy|xz2|bzip2|deflate_bytes|compress_\\w+|encode_all)$")
  (#set! value.encoding "hexadecimal")
  (#set! value.growth_percent 100)
)
