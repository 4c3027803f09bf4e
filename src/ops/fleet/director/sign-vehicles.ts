/**
 * Signs Targets, Snapshot and Timestamp of many vehicles.
 *
 * Invariants: a batch is one transaction, so no vehicle is ever left half-done, and what was stopped goes on where it
 * stopped; keys are opened once; memory does not grow with the fleet. The first batch's audit entry announces the whole
 * list by its hash, the others go on with it.
 */
import { SecureevError } from '../../../core/errors.ts';
import type { Task } from '../../../core/report.ts';
import { CROSS_CHECK_EVERY } from '../../../crypto/bulk-sign.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import { clearChanged, keepCacheSmall, putDirectorFile } from '../../../store/director.ts';
import type { DueTimes } from '../../../store/director.ts';
import type { Tx } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { refuseIfHeld } from '../../repository/hold.ts';
import { draftOf } from './drafts.ts';
import { imageTargets } from './image-targets.ts';
import type { ImageTargets } from './image-targets.ts';
import type { DirectorKeys } from './keys.ts';
import { makeFiles } from './vehicle-files.ts';
import type { VehicleIds } from './vehicle-ids.ts';
import { verifySample } from './verify-sample.ts';

/** What to sign. */
export interface SignVehiclesRequest {
  readonly keys: DirectorKeys;
  readonly vehicles: VehicleIds;
  /** The subcommand and its words for the audit log; with `announced` an earlier entry has said it. */
  readonly command: string;
  readonly summary: string;
  readonly announced?: boolean | undefined;
  readonly about?: readonly string[] | undefined;
  /** Renew what expires by these times; otherwise everything is made anew from assignments. */
  readonly renew?: DueTimes | undefined;
  /** Called for each vehicle in its batch's transaction before it is signed; false leaves it out. */
  readonly prepare?: ((tx: Tx, vehicle: string) => boolean) | undefined;
  /** What to tell a user who stopped it. */
  readonly resume: string;
}

/** What was signed. */
export interface SignedVehicles {
  readonly vehicles: number;
  readonly files: number;
  readonly signatures: number;
  readonly threads: number;
  /** Signatures verified by both engines, and of how many one is. */
  readonly crossChecked: number;
  readonly crossCheckEvery: number;
  /** Revoked keys that signed. */
  readonly warnings: readonly string[];
}

/** Vehicles of one transaction: about a second of signing on two cores; fewer where a key is slow. */
const BATCH_VEHICLES = { fast: 1024, slow: 32 };
/** Whoever waits for the database, such as `hold`, looks for it every 100 ms. */
const REST_MS = 110;
/** Vehicles whose messages are made at once. */
const SLICE_VEHICLES = 32;
/** Slices in work at once, so that the threads always have the next one. */
const SLICES_IN_WORK = 4;

interface Run {
  readonly repository: Repository;
  readonly request: SignVehiclesRequest;
  readonly images: ImageTargets;
  readonly task: Task;
  readonly counts: { vehicles: number; files: number; signatures: number };
}

/** Signs vehicles. @throws REPOSITORY_HELD, INTERRUPTED, DIRECTOR_TARGET_NOT_COMPLETE, ENGINE_DISAGREES, SIGNER_* */
export async function signVehicles(repository: Repository, request: SignVehiclesRequest): Promise<SignedVehicles> {
  const { keys, vehicles } = request;
  const task = repository.io.progress.start('signing vehicles', vehicles.count, 'items');
  const counts = { vehicles: 0, files: 0, signatures: 0 };
  keepCacheSmall(repository);
  const run: Run = { repository, request, images: imageTargets(repository), task, counts };
  const size = keys.fast ? BATCH_VEHICLES.fast : BATCH_VEHICLES.slow;
  for (let at = 0; at < vehicles.count; at += size) {
    if (repository.io.signal.aborted) throw stopped(run);
    if (at > 0) await repository.io.workers.rest(REST_MS);
    await signBatch(run, { ids: vehicles.slice(at, size), isFirst: at === 0 });
  }
  task.done();
  const { threads, warnings } = keys;
  return { ...counts, threads, crossChecked: keys.crossChecked(), crossCheckEvery: CROSS_CHECK_EVERY, warnings };
}

async function signBatch(run: Run, batch: { ids: readonly string[]; isFirst: boolean }): Promise<void> {
  const { repository, request } = run;
  const { command, summary } = request;
  const continues = request.announced === true || !batch.isFirst;
  await repository.transactAsync({ command, summary, continues }, async (tx) => {
    refuseIfHeld(tx);
    tx.about(...(request.about ?? []));
    const slices = slicesOf(batch.ids);
    let isSample = true;
    const lane = async (): Promise<void> => {
      for (let next = slices.shift(); next !== undefined; next = slices.shift()) {
        const slice = { ids: next, isSample };
        isSample = false;
        await signSlice(tx, run, slice);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: SLICES_IN_WORK }, lane));
    // The transaction ends only when nothing works in it any more.
    for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason;
  });
  run.task.advance(batch.ids.length);
}

function slicesOf(ids: readonly string[]): (readonly string[])[] {
  const slices = Array.from({ length: Math.ceil(ids.length / SLICE_VEHICLES) }, (_, index) =>
    ids.slice(index * SLICE_VEHICLES, (index + 1) * SLICE_VEHICLES),
  );
  return slices;
}

interface Slice {
  readonly ids: readonly string[];
  readonly isSample: boolean;
}

async function signSlice(tx: Tx, run: Run, { ids, isSample }: Slice): Promise<void> {
  const { repository, request, images, counts } = run;
  const { keys, renew, prepare } = request;
  const { identity } = repository;
  const wanted = ids.filter((id) => prepare?.(tx, id) ?? true);
  const drafting = { reader: tx, identity, now: tx.now, lifetimes: keys.lifetimes, images, renew };
  const drafts = wanted.map((id) => draftOf(drafting, id)).filter((draft) => draft !== undefined);
  const making = { engine: tx.io.engine, dialect: dialectOf(identity.dialect), keys };
  const made = await makeFiles(making, drafts);
  if (isSample && made[0] !== undefined) verifySample(tx, made[0]);
  for (const { vehicle, files } of made) {
    for (const file of files) putDirectorFile(tx, vehicle, file);
    if (renew === undefined) clearChanged(tx, vehicle);
    counts.vehicles += 1;
    counts.files += files.length;
    for (const { role } of files) counts.signatures += keys.roles[role].length;
  }
}

function stopped({ counts, request }: Run): SecureevError {
  return new SecureevError('INTERRUPTED', {
    message: `interrupted: ${counts.vehicles} of ${request.vehicles.count} vehicles are signed, the others are as before`,
    hint: request.resume,
    details: { signed: counts.vehicles, of: request.vehicles.count },
  });
}
