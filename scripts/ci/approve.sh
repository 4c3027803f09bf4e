# Takes in what was signed offline: every .sig in $APPROVALS. One whose version is complete already was taken in by a job that was
# killed before it could say so.
mkdir -p "$APPROVALS/done"
for sig in "$APPROVALS"/*.sig; do
  [ -e "$sig" ] || continue
  if said=$(secureev request import "$sig" --json); then :; else
    status=$?
    case $said in
      *'"REQUEST_STALE"'*) ;;
      *) printf '%s\n' "$said" >&2; exit "$status" ;;
    esac
  fi
  mv "$sig" "$APPROVALS/done/"
  echo "taken in: $(basename "$sig")"
done
