# Builds the package twice and looks at it from outside.

strip -o "$work/cuiban" "${CARGO_TARGET_DIR:-target}/debug/cuiban"
deb() { deploy/package --fast --binary "$work/cuiban" --revision "$1" --output "$work/$2"; }
check "the package is built" deb 1 one
check "the same again is the same file" deb 1 again
first=$(echo "$work"/one/*.deb)
check "... to the bit" cmp "$first" "$work/again/$(basename "$first")"
check "and the next revision" deb 2 two
second=$(echo "$work"/two/*.deb)
check "lintian has nothing to say" lintian --allow-root --pedantic --fail-on error,warning "$first"
sed 's/^/      /' "$work/said"
