for k in director-root director; do secureev keygen $k --out keys; done
secureev role set director/root --key keys/director-root.pub
for r in targets snapshot timestamp; do secureev role set director/$r --key keys/director.pub; done
secureev sign director/root --key keys/director-root.key
secureev root export --director -o trust/director.json
fleet-cars make 2000
secureev vehicle import fleet.csv
secureev campaign start 2026.11.0 --vehicles fleet.txt --wave 1500 --escrow-key keys/escrow.key --key keys/director.key --dry-run
secureev campaign start 2026.11.0 --vehicles fleet.txt --wave 1500 --escrow-key keys/escrow.key --key keys/director.key
secureev campaign start 2026.11.0 --escrow-key keys/escrow.key --key keys/director.key
secureev publish director director --upload-list upload.txt
secureev verify repository public --root trust/root.json --director director --director-root trust/director.json --vehicle 5YJ3E1EB0KF001999 --state car
secureev verify repository public --root trust/root.json --director director --director-root trust/director.json --vehicle 5YJ3E1EB0KF001999 --ecu IVI-001999 --partial --state ecu
fleet-cars report 1990
secureev manifest import manifests.jsonl
secureev campaign show 2026.11.0 --state signed
secureev campaign withdraw 2026.11.0 --reason 'charging stops in the cold' --key keys/director.key
secureev publish director director --upload-list upload.txt
secureev verify repository public --root trust/root.json --director director --director-root trust/director.json --vehicle 5YJ3E1EB0KF001999 --state car
secureev campaign list
secureev status
