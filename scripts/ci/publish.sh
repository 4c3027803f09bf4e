# Publishes to $PUBLIC, then copies what changed to the CDN, here a mounted folder, in the order of the list: Timestamp last.
#
# The list stays until its last file was copied, so a job that was killed is finished by the next one; put your CDN's own command in
# the place of `install`, one file at a time or in batches that keep the order.
list=$WORK/upload.txt
mkdir -p "$WORK"
exec 8>"$WORK/publish.lock"
flock 8

upload() {
  while read -r file; do
    install -D -m 644 "$PUBLIC/$file" "$CDN/$file.new"
    mv "$CDN/$file.new" "$CDN/$file"
  done <"$list"
  echo "uploaded: $(wc -l <"$list") files"
  rm "$list"
}

if [ -e "$list" ]; then upload; fi
secureev publish image "$PUBLIC" --upload-list "$list"
upload
