# Packages a release under the name $RELEASE, seals its bundles for the test fleet, signs them with the online packaging key, and
# writes the request for Targets, which stays offline; none where no image is new.
#
#   sh -eu package.sh release.yaml targets.sigreq
#
# Clear bundles lie in $WORK/bundles/$RELEASE until they are sealed; a folder that is still there is of a job that was killed, and
# is sealed first, so that nothing which was packaged keeps `publish` waiting. Two jobs take turns.
mkdir -p "$WORK/bundles"
exec 9>"$WORK/package.lock"
flock 9
rm -rf "$WORK"/sealing.*

# seal FOLDER: each of its bundles; one that is sealed already, or that its job had not recorded yet, needs nothing. The repository
# keeps the sealed payloads and envelopes, and publishes them.
seal() {
  sealing=$(mktemp -d "$WORK/sealing.XXXXXX")
  for bundle in "$1"/*.otap; do
    [ -e "$bundle" ] || continue
    if said=$(secureev encrypt "$bundle" --vehicles "$TEST_FLEET" --out "$sealing" --json); then continue; else status=$?; fi
    case $said in
      *'"SEALED_ALREADY"'* | *'"SEALED_NOT_A_TARGET"'*) ;;
      *) printf '%s\n' "$said" >&2; return "$status" ;;
    esac
  done
  rm -rf "$sealing" "$1"
}

for folder in "$WORK"/bundles/*; do
  [ -d "$folder" ] && seal "$folder"
done

sed "s/^release:.*/release: $RELEASE/" "$1" >"$(dirname "$1")/$RELEASE.yaml"
secureev package "$(dirname "$1")/$RELEASE.yaml" --key "$PACKAGING_KEY" --out "$WORK/bundles/$RELEASE"
seal "$WORK/bundles/$RELEASE"
secureev sign bundles --key "$PACKAGING_KEY"
if said=$(secureev request create targets -o "$2" --json); then
  echo "to be approved: $2"
else
  status=$?
  case $said in
    *'"REQUEST_NOTHING_TO_SIGN"'*) echo 'no image is new: nothing to approve' ;;
    *) printf '%s\n' "$said" >&2; exit "$status" ;;
  esac
fi
