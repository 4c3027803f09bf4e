export SECUREEV_REPO=$PWD/oem SECUREEV_PASSPHRASE='correct horse battery staple'
secureev init oem --name 'Example Motors'
for k in root-a root-b root-c targets snapshot timestamp; do secureev keygen $k --out keys; done
for k in escrow car-1; do secureev keygen $k --purpose encryption --out keys; done
secureev role set root --key keys/root-a.pub --key keys/root-b.pub --key keys/root-c.pub --threshold 2
for r in targets snapshot timestamp escrow; do secureev role set $r --key keys/$r.pub; done
secureev sign root --key keys/root-a.key --key keys/root-b.key
secureev root export -o trust/root.json
secureev ecu import registry.yaml
secureev vehicle add 5YJ3E1EA0KF000316 --model EV-1 --encryption-key keys/car-1.pub
secureev package release.yaml --key keys/targets.key --out bundles
secureev encrypt bundles/*.otap --vehicle 5YJ3E1EA0KF000316 --out sealed
secureev sign targets snapshot timestamp --key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key
secureev publish image public
secureev decrypt sealed/ZG_POWERTRAIN.otap.sev --key keys/car-1.key -o received.otap
secureev verify bundle received.otap --root trust/root.json --metadata public/metadata
