// Puts into server/web/static/vendor what the pages take from others: Bootstrap's style sheet, htmx,
// Leaflet, the fonts, one sprite of the icons in use and the installed application's icons; and our modules of
// the urgent page in one file. With a manifest of names, versions, licences and digests.
//
//   npm ci --ignore-scripts && node server/web/frontend/build.mjs

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Resvg, initWasm } from "@resvg/resvg-wasm";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const out = join(here, "..", "static", "vendor");
const require = createRequire(join(root, "package.json"));
const packages = ["bootstrap", "htmx.org", "leaflet", "@fontsource/be-vietnam-pro", "bootstrap-icons"];
const icons = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

await build({
  entryPoints: { vendor: join(here, "vendor.css"), leaflet: "leaflet/dist/leaflet.css" },
  outdir: out,
  bundle: true,
  minify: true,
  absWorkingDir: root,
  nodePaths: [join(root, "node_modules")],
  // Only woff2: every browser that runs the pages' scripts reads it.
  external: ["*.woff"],
  loader: { ".woff2": "file", ".png": "dataurl" },
  assetNames: "[name]",
  legalComments: "external",
});

await build({
  entryPoints: { htmx: "htmx.org" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  absWorkingDir: root,
  nodePaths: [join(root, "node_modules")],
  legalComments: "external",
});

// A page's module takes it in when a map is asked for.
await build({
  entryPoints: { leaflet: "leaflet/dist/leaflet-src.esm.js" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  absWorkingDir: root,
  nodePaths: [join(root, "node_modules")],
  legalComments: "external",
});

// Our own: what it was made of stands in the manifest, so that the pages know when it is out of date.
const { metafile } = await build({
  entryPoints: { urgent: "server/web/static/js/urgent_page.js" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  absWorkingDir: root,
  metafile: true,
});

// The same letters for PDF files, in the form that their writer reads.
for (const part of ["latin", "latin-ext", "vietnamese"]) {
  for (const weight of [400, 700]) {
    const name = `be-vietnam-pro-${part}-${weight}-normal.woff`;
    writeFileSync(join(out, name), readFileSync(join(root, "node_modules/@fontsource/be-vietnam-pro/files", name)));
  }
}
writeFileSync(join(out, "icons.svg"), sprite(icons));
await initWasm(readFileSync(require.resolve("@resvg/resvg-wasm/index_bg.wasm")));
const drawing = readFileSync(join(here, "app-icon.svg"));
for (const size of [192, 512]) {
  const drawn = new Resvg(drawing, { fitTo: { mode: "width", value: size } }).render();
  writeFileSync(join(out, `app-icon-${size}.png`), drawn.asPng());
}
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest(), null, 1) + "\n");

function sprite(names) {
  const symbols = names.map((name) => {
    const svg = readFileSync(join(root, "node_modules/bootstrap-icons/icons", `${name}.svg`), "utf8");
    const inner = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
    return `<symbol id="${name}" viewBox="0 0 16 16">${inner}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

function manifest() {
  const from = packages.map((name) => {
    const about = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
    return { name, version: about.version, license: about.license };
  });
  const files = {};
  for (const name of readdirSync(out).sort()) {
    files[name] = createHash("sha256").update(readFileSync(join(out, name))).digest("hex");
  }
  const sources = createHash("sha256");
  for (const name of Object.keys(metafile.inputs).sort()) sources.update(readFileSync(join(root, name)));
  return { packages: from, files, urgent: sources.digest("hex") };
}
