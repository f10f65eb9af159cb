// Bundles web/src into the folder named on the command line (hatch_build.py runs this).
//
// The layout of web/src is the whole configuration:
//
//   src/NAME.js, src/NAME.css    a bundle of its own, written as NAME.js, NAME.css
//   src/NAME.anything-else       copied as it is (favicon.svg)
//   src/FOLDER/…                 parts that bundles import; nothing there is written by itself
//
// and DATA below: files of packages that the site's server reads.
//
// Output names are stable, because pages name them; the site appends a hash of the content. Beside the
// bundles stand the same packed (NAME.br, NAME.gz), and third-party.txt with the licences of every package whose code
// went into one of them.

import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { argv, chdir, exit } from "node:process";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const BUNDLED = new Set([".js", ".css"]);
// Countries of the world at 1:50 million (Natural Earth, as TopoJSON), from which the site clips its maps.
const DATA = { "countries.json": "node_modules/world-atlas/countries-50m.json" };
const PACKED = new Set([".js", ".css"]);
const WORTH_PACKING = 1024; // bytes
const LICENCE_FILE = /^(licen[cs]e|copying|notice)\b/i;

/** The package folders (`node_modules/NAME` or `node_modules/@SCOPE/NAME`) of the bundled inputs, sorted. */
function packagesOf(inputs) {
  const found = Object.keys(inputs).map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(found.filter(Boolean))].sort();
}

/** Name, version and licence text of one package: what its licence asks us to hand on. */
async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return [`${name} ${version} (${license ?? "licence not named"})`, ...texts.map((text) => text.trim())].join("\n\n");
}

/** Writes NAME.br and NAME.gz beside what is worth it: the server sends files as they lie there. */
async function pack(target) {
  const names = (await readdir(target)).filter((name) => PACKED.has(extname(name)));
  for (const name of names) {
    const content = await readFile(join(target, name));
    if (content.length < WORTH_PACKING) continue;
    await writeFile(join(target, `${name}.br`), brotliCompressSync(content));
    await writeFile(join(target, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
}

async function main(target) {
  const files = (await readdir("src", { withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join("src", entry.name)).sort();
  await mkdir(target, { recursive: true });

  const { metafile, warnings } = await build({
    entryPoints: paths.filter((path) => BUNDLED.has(extname(path))),
    outdir: target,
    bundle: true,
    minify: true,
    sourcemap: false,
    metafile: true,
    charset: "utf8",
    // Classic scripts: they run the same with `defer` and as modules, and in workers.
    format: "iife",
    // About three years of browsers. Older ones get the pages as well: they work without scripts.
    target: ["chrome111", "firefox113", "safari16.4"],
    // Pictures that a stylesheet of a package asks for; stable names like everything else.
    loader: { ".png": "file", ".svg": "file", ".woff2": "file" },
    assetNames: "[name]",
    logLevel: "warning",
  });
  if (warnings.length > 0) {
    // esbuild is pinned, so a warning is a slip in our sources, not news from a newer version.
    throw new Error(`${warnings.length} warning(s) from esbuild`);
  }

  for (const path of paths.filter((path) => !BUNDLED.has(extname(path)))) {
    await copyFile(path, join(target, basename(path)));
  }

  for (const [name, path] of Object.entries(DATA)) {
    await copyFile(path, join(target, name));
  }

  await pack(target);

  const used = { ...metafile.inputs, ...Object.fromEntries(Object.values(DATA).map((path) => [path, {}])) };
  const licences = await Promise.all(packagesOf(used).map(licenceOf));
  const preamble = "Code and data of these packages are contained in the files beside this one.";
  const text = licences.length > 0 ? [preamble, ...licences].join(`\n\n${"-".repeat(78)}\n\n`) : "No third-party code is bundled.";
  await writeFile(join(target, "third-party.txt"), `${text}\n`);
}

if (argv.length !== 3) {
  console.error("usage: node build.mjs FOLDER");
  exit(2);
}
chdir(import.meta.dirname);
try {
  await main(argv[2]);
} catch (error) {
  console.error(`build.mjs: ${error.message}`);
  exit(1);
}
