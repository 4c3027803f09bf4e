/**
 * Every limit of the client workflow. What is over one is refused before it is allocated, parsed or followed.
 *
 * Sizes of files are those of `formats/metadata/limits.ts`; a listed length below them is the limit for that file.
 *
 * @see TUF 1.0.34 sections 5.3 to 5.7; Uptane 2.1.0 section 5.4.4
 */
import { METADATA_BYTES_MAX } from '../formats/metadata/limits.ts';

/** How far a client goes. */
export interface TrustLimits {
  /** Bytes of a root file. */
  readonly rootBytesMax: number;
  readonly timestampBytesMax: number;
  readonly snapshotBytesMax: number;
  /** Bytes of Targets and of each delegated role. */
  readonly targetsBytesMax: number;
  /** Roots walked in one update. */
  readonly rootRotationsMax: number;
  /** Roles visited in the search for one target. */
  readonly delegationsMax: number;
  /** Delegations between Targets and the role that lists a target. */
  readonly delegationDepthMax: number;
}

/** The limits where nobody sets others. */
export const TRUST_LIMITS: TrustLimits = {
  rootBytesMax: METADATA_BYTES_MAX.root,
  timestampBytesMax: METADATA_BYTES_MAX.timestamp,
  snapshotBytesMax: METADATA_BYTES_MAX.snapshot,
  targetsBytesMax: METADATA_BYTES_MAX.targets,
  rootRotationsMax: 1024,
  delegationsMax: 256,
  delegationDepthMax: 32,
};
