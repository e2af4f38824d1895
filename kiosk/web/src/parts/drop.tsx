/** Where files, folders and zips are dropped or chosen. */
import { useEffect, useRef, useState } from "react";
import { fromDrop, fromInput, type Gathered } from "../upload/gather.ts";

export function Drop({ onFiles, small }: { onFiles: (files: Gathered[]) => void; small: boolean }) {
  const [over, setOver] = useState(false);
  const [reading, setReading] = useState(false);
  const chosen = useRef(onFiles);
  chosen.current = onFiles;
  useEffect(() => {
    const drag = (event: DragEvent): void => {
      event.preventDefault(); // else the browser would open the file
      setOver(event.type === "dragover");
    };
    const drop = (event: DragEvent): void => {
      drag(event);
      if (!event.dataTransfer) return;
      setReading(true);
      void fromDrop(event.dataTransfer).then((files) => (chosen.current(files), setReading(false)));
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", drag);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", drag);
      removeEventListener("drop", drop);
    };
  }, []);
  return (
    <section className={`drop${over ? " over" : ""}${small ? " small" : ""}`} aria-label="Choose images">
      <p className="large">{reading ? "Looking through the folder" : over ? "Let go" : "Drop images, folders or zips here"}</p>
      <p>
        <Choose name="Choose files" onFiles={onFiles} />
        <Choose name="Choose a folder" folder onFiles={onFiles} />
      </p>
      {!small && <p className="quiet">TIFF, OME-TIFF, PNG and JPEG, 8 or 16 bits, up to 64 megapixels each; zips of any size.</p>}
    </section>
  );
}

function Choose({ name, folder, onFiles }: { name: string; folder?: boolean; onFiles: (files: Gathered[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {name}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={name}
        {...(folder && { webkitdirectory: "" })}
        onChange={(event) => {
          onFiles(fromInput(event.target.files ?? new DataTransfer().files));
          event.target.value = "";
        }}
      />
    </>
  );
}
