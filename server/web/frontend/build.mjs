// Puts into server/web/static/vendor what the pages take from others: Bootstrap's style sheet, htmx,
// the fonts and one sprite of the icons in use; with a manifest of names, versions, licences and digests.
//
//   npm ci --ignore-scripts && node server/web/frontend/build.mjs

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const out = join(here, "..", "static", "vendor");
const require = createRequire(join(root, "package.json"));
const packages = ["bootstrap", "htmx.org", "@fontsource/be-vietnam-pro", "bootstrap-icons"];
const icons = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

await build({
  entryPoints: { vendor: join(here, "vendor.css") },
  outdir: out,
  bundle: true,
  minify: true,
  absWorkingDir: root,
  nodePaths: [join(root, "node_modules")],
  // Only woff2: every browser that runs the pages' scripts reads it.
  external: ["*.woff"],
  loader: { ".woff2": "file" },
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

writeFileSync(join(out, "icons.svg"), sprite(icons));
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
  return { packages: from, files };
}
