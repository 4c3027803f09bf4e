/** The map file for where repositories will be (TAP 4, U18). */
import { SecureevError } from '../../core/errors.ts';
import { encodeMapFile, parseLocation } from '../../formats/provisioning/map-file.ts';
import type { PlainFile } from './tree-writer.ts';

/** Where repositories will be, each in the order in which to try. */
export interface MapLocations {
  readonly imageUrls: readonly string[];
  /** Empty where there is no Director. */
  readonly directorUrls: readonly string[];
}

/** `map.json`; no file where nothing is said of where they will be. @throws USAGE, MAP_MALFORMED */
export function mapFile(locations: MapLocations | undefined): readonly PlainFile[] {
  const { imageUrls, directorUrls } = locations ?? { imageUrls: [], directorUrls: [] };
  if (imageUrls.length === 0 && directorUrls.length > 0) {
    throw new SecureevError('USAGE', {
      message: 'a map without the Image repository would let the Director alone decide',
      hint: 'say with --image-url where the Image repository will be',
    });
  }
  if (imageUrls.length === 0) return [];
  const image = { name: 'image', locations: imageUrls.map(parseLocation) };
  const director = { name: 'director', locations: directorUrls.map(parseLocation) };
  return [
    {
      path: 'map.json',
      bytes: encodeMapFile({ repositories: directorUrls.length === 0 ? [image] : [image, director] }),
    },
  ];
}
