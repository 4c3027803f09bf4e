/**
 * The Director's side of a vehicle's view: from its pinned root to the Targets of one vehicle, in full or in part.
 *
 * Invariant: Timestamp, Snapshot and Targets are stored only when Targets has said that they are this vehicle's.
 */
import type { Instant, Vin } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import type { Verified } from '../../core/verified.ts';
import type { DirectorTargets } from '../../formats/metadata/director-targets.ts';
import { takeDirectorTargets } from '../../trust/director.ts';
import { updatePartial } from '../../trust/partial.ts';
import type { TrustSource } from '../../trust/source.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { loadTopTargets, updateToSnapshot } from '../../trust/update.ts';
import type { UpdateRequest } from '../../trust/update.ts';
import { refusalOf } from '../release/check-book.ts';
import type { CheckBook } from '../release/check-book.ts';
import { deferredStore, storeBelow } from './client-state.ts';
import type { DeferredStore } from './client-state.ts';
import { directorSource, findVehicle, newestTargets } from './director-tree.ts';
import { attemptChain, passChain } from './metadata-checks.ts';
import { isUrl } from './tree-source.ts';
import { snapshotDigest } from './vehicle-marker.ts';
import type { VehicleMarker } from './vehicle-marker.ts';

/** The checks of this side, in their order. */
export const DIRECTOR_CHECKS = {
  'director-metadata': "Director: metadata chain from its trusted root to the vehicle's Targets, nothing going back",
  'director-expiry': 'Director: metadata is unexpired',
  'director-hybrid': 'Director: post-quantum thresholds where its root demands them',
  vehicle: "the Director's Targets are for this vehicle",
  'director-targets': 'the Director delegates nothing and gives each ECU one image',
} as const;

/** The id of a check of {@link DIRECTOR_CHECKS}. */
export type DirectorCheckId = keyof typeof DIRECTOR_CHECKS;

const CHAIN = { metadata: 'director-metadata', expiry: 'director-expiry', hybrid: 'director-hybrid' } as const;

/** Whose Targets to verify, under what. */
export interface DirectorInput {
  /** A folder or URL. */
  readonly director: string;
  readonly vin: Vin;
  /** The vehicle's random id; looked up in a folder where it is not given. */
  readonly vehicleId: string | undefined;
  readonly now: Instant;
  readonly requireHybrid: boolean;
  /** The folder of trusted metadata of this vehicle; the Director's is in `director/` below it. */
  readonly state: string | undefined;
}

/** What is trusted of the Director. */
export interface DirectorView {
  readonly set: TrustedSet;
  readonly vehicleId: string;
  /** Undefined where the Snapshot is the one of the last complete run (U29: there is nothing new). */
  readonly targets: Verified<DirectorTargets> | undefined;
}

type Book = CheckBook<DirectorCheckId>;

/** Where one vehicle's metadata comes from and goes to. */
interface Place {
  readonly source: TrustSource;
  readonly store: DeferredStore;
  readonly vehicleId: string;
}

/** What the last complete run leaves to do; without a marker, or with more asked for, everything is done. */
export interface DirectorRun {
  readonly pinnedRoot: Uint8Array;
  readonly marker: VehicleMarker | undefined;
}

/** Verifies the Director's four roles for a vehicle; undefined where a check failed. */
export async function verifyDirector(
  book: Book,
  input: DirectorInput,
  { io, run }: { io: Io; run: DirectorRun },
): Promise<DirectorView | undefined> {
  const place = await attemptChain(book, CHAIN, () => placeOf(input, io));
  if (place === undefined) return undefined;
  const upTo = await attemptChain(book, CHAIN, () =>
    updateToSnapshot(place.source, requestFor(input, { io, run, place })),
  );
  if (upTo === undefined) return undefined;
  if (upTo.isUnchanged && run.marker?.snapshot === snapshotDigest(upTo.set)) {
    await place.store.commit();
    passUnchanged(book, upTo.set);
    return { set: upTo.set, vehicleId: place.vehicleId, targets: undefined };
  }
  const set = await attemptChain(book, CHAIN, () => loadTopTargets(place, upTo.set));
  return set && takeTargets(book, input, { set, place });
}

/** Verifies what an ECU with partial verification looks at: roots and Targets (U37). */
export async function verifyDirectorPartly(
  book: Book,
  input: DirectorInput,
  { io, run }: { io: Io; run: DirectorRun },
): Promise<DirectorView | undefined> {
  const found = await attemptChain(book, CHAIN, async () => {
    const place = await placeOf(input, io);
    const version = await newestTargets(io.files, input.director, place.vehicleId);
    return { place, set: await updatePartial(place.source, { ...requestFor(input, { io, run, place }), version }) };
  });
  return found && takeTargets(book, input, found);
}

async function placeOf({ director, vin, vehicleId, state }: DirectorInput, io: Io): Promise<Place> {
  const id = vehicleId ?? (isUrl(director) ? '' : await findVehicle(io.files, director, vin));
  const store = deferredStore(storeBelow(io.files, state, 'director'));
  return { source: directorSource(io, director, id), store, vehicleId: id };
}

function requestFor(
  { now, requireHybrid }: DirectorInput,
  { io, run, place }: { io: Io; run: DirectorRun; place: Place },
): UpdateRequest {
  const { pinnedRoot } = run;
  return { engine: io.engine, pinnedRoot, now, requireHybrid, kind: 'director', store: place.store };
}

function passUnchanged(book: Book, set: TrustedSet): void {
  passChain(book, CHAIN, set);
  for (const id of ['vehicle', 'director-targets'] as const) book.pass(id, UNCHANGED);
}

/** What a check says that was not made again. */
export const UNCHANGED = "the Director's Snapshot is that of the last complete run, so nothing is new";

async function takeTargets(
  book: Book,
  { vin, vehicleId }: DirectorInput,
  { set, place }: { set: TrustedSet; place: Place },
): Promise<DirectorView | undefined> {
  passChain(book, CHAIN, set);
  try {
    const targets = takeDirectorTargets(set, { vin, vehicleId });
    await place.store.commit();
    const { entries } = targets.verified;
    const ecus = entries.reduce((count, entry) => count + entry.ecus.size, 0);
    book.pass('vehicle', `${vin}, ${place.vehicleId}`);
    book.pass('director-targets', `${entries.length} images for ${ecus} ECUs`);
    return { set, vehicleId: place.vehicleId, targets };
  } catch (thrown) {
    const refused = refusalOf(thrown);
    book.fail(refused.code === 'TRUST_WRONG_VEHICLE' ? 'vehicle' : 'director-targets', refused);
    return undefined;
  }
}
