// Puts a button on each block of commands, or of a file, that copies its text: without what the commands print, which
// stands behind an empty line. Without a secure origin a browser has no clipboard, so no button.
const PROGRAMS = "aws|aws-iam-authenticator|cd|exit|export|for|install|jq|juju|kubectl|make|mkdir|sed|skopeo|sudo";
const COMMANDS = new RegExp(`^(?:[A-Z]+=\\S+ )?(?:${PROGRAMS})(?: |$)`);
const FILE = /^(?:[-#{[] ?|\w+:\s|config = |module |"\w+": {)/;

function copied(block) {
  const text = block.querySelector("pre").textContent.trimEnd();
  if (FILE.test(text)) return text;
  return text.split("\n\n").filter((piece) => COMMANDS.test(piece)).join("\n");
}

document.addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll("div.highlight")) {
    const text = copied(block);
    if (!text) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    block.append(button);
  }
});
